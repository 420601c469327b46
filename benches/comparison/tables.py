"""Tables that people and Markdown read."""


def table(header, rows):
    rows = [header, ["---", *("---:" for _ in header[1:])], *rows]
    widths = [max(len(row[at]) for row in rows) for at in range(len(header))]
    for row in rows:
        cells = [cell.rjust(width) if at else cell.ljust(width) for at, (cell, width) in enumerate(zip(row, widths))]
        print("| " + " | ".join(cells) + " |", flush=True)
    print(flush=True)


def rounded(number):
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"
