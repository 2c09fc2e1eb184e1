//! Finds the name of a frame, its `"table"` or `"group"`, without decoding the frame. It is a channel, or a channel
//! with a symbol or `@…` suffix.

/// Returns the name of a frame: the value of the member `"table"` or `"group"` of the outermost object, at any
/// position.
///
/// Cheap: a frame that starts or ends with that member is not scanned. `None` if there is no such member, if its value
/// is not a string or contains escapes, or if the frame is not a JSON object. A frame that is not valid JSON may have
/// a name, too; it fails later, when it is decoded.
pub fn frame_name(frame: &str) -> Option<&str> {
    let frame = frame.trim_ascii();
    // In the documented data frames the key is the first or the last one.
    at_end(frame).or_else(|| Scanner { text: frame, position: 0 }.frame_name())
}

/// Returns the name of a frame that ends with `"table":"…"}`.
///
/// In valid JSON the last `}` closes the outermost object, so the member before it belongs to that
/// object. The opening quote of the key follows `{`, `,` or a blank, so it is not within another
/// string, where quotes are escaped.
fn at_end(frame: &str) -> Option<&str> {
    let rest = frame.strip_suffix('}')?.trim_ascii_end().strip_suffix('"')?;
    let (rest, value) = rest.rsplit_once('"')?;
    let rest = rest.trim_ascii_end().strip_suffix(':')?.trim_ascii_end();
    let rest = rest.strip_suffix("\"table\"").or_else(|| rest.strip_suffix("\"group\""))?;
    let separated = rest.ends_with(['{', ',', ' ', '\n', '\t', '\r']);
    (separated && !value.contains('\\')).then_some(value)
}

struct Scanner<'a> {
    text: &'a str,
    position: usize,
}

impl<'a> Scanner<'a> {
    fn frame_name(mut self) -> Option<&'a str> {
        self.expect(b'{')?;
        loop {
            let key = self.string()?;
            self.expect(b':')?;
            if key == "table" || key == "group" {
                return self.string().filter(|value| !value.contains('\\'));
            }
            self.skip_value()?;
            self.expect(b',')?;
        }
    }

    /// Skips blanks and returns the next byte without consuming it.
    fn next(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        while bytes.get(self.position)?.is_ascii_whitespace() {
            self.position += 1;
        }
        bytes.get(self.position).copied()
    }

    fn expect(&mut self, byte: u8) -> Option<()> {
        (self.next()? == byte).then(|| self.position += 1)
    }

    /// Reads a JSON string without resolving its escapes.
    fn string(&mut self) -> Option<&'a str> {
        self.expect(b'"')?;
        let start = self.position;
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.position)? {
                b'"' => break,
                b'\\' => self.position += 2,
                _ => self.position += 1,
            }
        }
        self.position += 1;
        self.text.get(start..self.position - 1)
    }

    fn skip_value(&mut self) -> Option<()> {
        match self.next()? {
            b'"' => self.string().map(drop),
            b'{' | b'[' => self.skip_nested(),
            _ => {
                let rest = self.text.get(self.position..)?;
                self.position += rest.find([',', '}', ']'])?;
                Some(())
            }
        }
    }

    /// Skips an object or array by counting brackets. The decoder checks that they match.
    fn skip_nested(&mut self) -> Option<()> {
        let mut open = 0_usize;
        loop {
            match self.text.as_bytes().get(self.position)? {
                b'"' => {
                    self.string()?;
                    continue;
                }
                b'{' | b'[' => open += 1,
                b'}' | b']' => open -= 1,
                _ => {}
            }
            self.position += 1;
            if open == 0 {
                return Some(());
            }
        }
    }
}

#[cfg(test)]
mod tests;
