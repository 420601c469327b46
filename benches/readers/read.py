"""Reads one file with Python's configparser: read.py FILE SECONDS

Prints MEDIAN_SECONDS REPETITIONS, or with 0 seconds PEAK_BYTES; see read.rs.
"""

import configparser
import sys
import time


def read_file(path):
    # strict=False: PacketFence's reader takes repeated sections and keys as well.
    config = configparser.ConfigParser(strict=False, interpolation=None)
    with open(path, encoding="utf-8") as file:
        config.read_file(file)
    return config


def median(path, seconds):
    times = []
    begin = time.perf_counter()
    while not times or time.perf_counter() - begin < seconds:
        start = time.process_time()
        read_file(path)
        times.append(time.process_time() - start)
    return sorted(times)[len(times) // 2], len(times)


def peak():
    """The most memory that this process ever had, in bytes."""
    with open("/proc/self/status", encoding="ascii") as status:
        kilobytes = next(line.split()[1] for line in status if line.startswith("VmHWM:"))
    return int(kilobytes) * 1024


def main():
    path, seconds = sys.argv[1], float(sys.argv[2])
    if seconds > 0:
        time_of_one, repetitions = median(path, seconds)
        print(f"{time_of_one:e} {repetitions}")
    else:
        before = peak()
        config = read_file(path)
        print(peak() - before)
        del config


main()
