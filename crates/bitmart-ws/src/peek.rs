//! Finds the channel of a frame without decoding it.

/// The value of the outermost `"table"` or `"group"`, wherever in the frame it stands.
///
/// Cheap: a frame that starts or ends with the key is not scanned. `None` when there is no such
/// key, when its value is not plain text or when the frame is not a JSON object. A frame that is
/// not valid JSON may still give a channel; decoding refuses it later.
pub fn channel(frame: &str) -> Option<&str> {
    let frame = frame.trim_ascii();
    // The documented data frames put the key first or last.
    at_end(frame).or_else(|| Scanner { text: frame, position: 0 }.channel())
}

/// The channel of a frame that ends in `"table":"…"}`.
///
/// In valid JSON the last `}` closes the outermost object, so the member before it is an outermost
/// one. Its opening quote follows `{`, `,` or a blank and therefore is not part of another text,
/// where quotes are escaped.
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
    fn channel(mut self) -> Option<&'a str> {
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

    /// The next byte, blanks skipped, not consumed.
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

    /// A JSON string as it is written, its escapes left alone.
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

    /// Skips an object or array by counting brackets. That they match is for the decoder to check.
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
