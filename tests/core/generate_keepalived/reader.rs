//! An independent reader of keepalived's grammar, so that the tests ask what a file means and not how it is written.

/// A line, and what stands in its braces.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) words: Vec<String>,
    pub(crate) inside: Vec<Node>,
}

/// Reads a file: `#` and `!` outside of quotes begin a comment, blanks end words, `{` at the end of a line opens a block.
pub(crate) fn read(text: &str) -> Result<Vec<Node>, String> {
    let mut open = vec![Node::default()];
    for (number, line) in text.split('\n').enumerate() {
        let fail = |what: &str| format!("line {}: {what}: {line:?}", number + 1);
        if line.chars().any(|c| c.is_control() || !c.is_ascii()) {
            return Err(fail("not printable"));
        }
        let (mut words, mut word, mut quoted) = (Vec::new(), None::<String>, false);
        for c in line.chars() {
            match c {
                '"' => {
                    quoted = !quoted;
                    word.get_or_insert_default();
                }
                '\\' => return Err(fail("a backslash")),
                '#' | '!' if !quoted => break,
                ' ' if !quoted => words.extend(word.take()),
                c => word.get_or_insert_default().push(c),
            }
        }
        words.extend(word);
        if quoted {
            return Err(fail("an open quote"));
        }
        match words.last().map(String::as_str) {
            None => {}
            Some("}") if words.len() == 1 && open.len() > 1 => {
                let block = open.pop().expect("more than one");
                open.last_mut().expect("one is left").inside.push(block);
            }
            Some("{") => {
                words.pop();
                open.push(Node { words, inside: Vec::new() });
            }
            Some(_) if words.iter().any(|word| word.contains(['{', '}'])) => return Err(fail("a brace")),
            Some(_) => open.last_mut().expect("the root").inside.push(Node { words, inside: Vec::new() }),
        }
    }
    match <[Node; 1]>::try_from(open) {
        Ok([root]) => Ok(root.inside),
        Err(_) => Err("an open block".to_owned()),
    }
}

impl Node {
    pub(crate) fn all<'n>(nodes: &'n [Node], name: &str) -> Vec<&'n Node> {
        nodes.iter().filter(|node| node.words[0] == name).collect()
    }

    pub(crate) fn block(&self, name: &str) -> Option<Vec<String>> {
        let blocks = Node::all(&self.inside, name);
        assert!(blocks.len() <= 1, "{name} twice in {self:?}");
        blocks.first().map(|block| block.inside.iter().map(|node| node.words.join(" ")).collect())
    }

    pub(crate) fn value(&self, name: &str) -> Option<&str> {
        let lines = Node::all(&self.inside, name);
        assert!(lines.len() <= 1, "{name} twice in {self:?}");
        lines.first().map(|line| line.words.get(1).map_or("", String::as_str))
    }
}
