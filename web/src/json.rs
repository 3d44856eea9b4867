//! Views as JavaScript values, by way of JSON: the browser reads a text into objects faster than
//! they could be made from here one property at a time, and the writer is a fraction of the code.
//!
//! It writes what views are made of and nothing else. Of a fraction it writes billionths. Bytes are
//! numbers of eight bytes each, which are copied as a whole and become the view's `messages`.
//! Nothing can fail.

use std::fmt::{self, Display, Formatter, Write};

use js_sys::{Float64Array, JSON, Reflect, Uint8Array};
use serde::Serialize;
use serde::ser::{Error, Impossible, SerializeSeq, SerializeStruct, SerializeTuple, Serializer};
use wasm_bindgen::prelude::*;

/// A view as a JavaScript value.
///
/// # Errors
/// None in practice: only if the browser couldn't read what is written here.
pub(crate) fn to_js(view: &impl Serialize) -> Result<JsValue, JsValue> {
    let mut json = Json::default();
    view.serialize(&mut json).unwrap_or_else(|never| match never {});
    let value = JSON::parse(&json.text)?;
    if let Some(rows) = json.rows {
        let rows = Float64Array::new(&Uint8Array::from(&rows[..]).buffer());
        Reflect::set(&value, &"messages".into(), &rows)?;
    }
    Ok(value)
}

/// What has been written so far.
#[derive(Default)]
struct Json {
    text: String,
    rows: Option<Vec<u8>>,
}

/// An error that can't occur.
#[derive(Debug)]
enum Never {}

impl Display for Never {
    fn fmt(&self, _: &mut Formatter) -> fmt::Result {
        match *self {}
    }
}

impl std::error::Error for Never {}

impl Error for Never {
    fn custom<T: Display>(_: T) -> Never {
        unreachable!("nothing that a view is made of refuses to be written")
    }
}

type Done = Result<(), Never>;
type No = Impossible<(), Never>;

impl Json {
    fn whole(&mut self, number: u64) -> Done {
        // Writing to a text doesn't fail.
        let _ = write!(self.text, "{number}");
        Ok(())
    }

    fn quoted(&mut self, text: &str) -> Done {
        self.text.push('"');
        for letter in text.chars() {
            match letter {
                '"' | '\\' => self.text.extend(['\\', letter]),
                '\0'..' ' => {
                    let _ = write!(self.text, "\\u{:04x}", u32::from(letter));
                }
                _ => self.text.push(letter),
            }
        }
        self.text.push('"');
        Ok(())
    }

    fn several(&mut self, open: char, close: char) -> Several<'_> {
        self.text.push(open);
        Several { json: self, close, follows: false }
    }
}

/// A list or an object being written.
struct Several<'a> {
    json: &'a mut Json,
    close: char,
    /// Whether something stands in it already.
    follows: bool,
}

impl Several<'_> {
    fn separate(&mut self) {
        if self.follows {
            self.json.text.push(',');
        }
        self.follows = true;
    }

    fn close(self) -> Done {
        self.json.text.push(self.close);
        Ok(())
    }
}

impl SerializeSeq for Several<'_> {
    type Ok = ();
    type Error = Never;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Done {
        self.separate();
        value.serialize(&mut *self.json)
    }

    fn end(self) -> Done {
        self.close()
    }
}

impl SerializeTuple for Several<'_> {
    type Ok = ();
    type Error = Never;

    fn serialize_element<T: ?Sized + Serialize>(&mut self, value: &T) -> Done {
        SerializeSeq::serialize_element(self, value)
    }

    fn end(self) -> Done {
        self.close()
    }
}

impl SerializeStruct for Several<'_> {
    type Ok = ();
    type Error = Never;

    fn serialize_field<T: ?Sized + Serialize>(&mut self, name: &'static str, value: &T) -> Done {
        self.separate();
        self.json.quoted(name)?;
        self.json.text.push(':');
        value.serialize(&mut *self.json)
    }

    fn end(self) -> Done {
        self.close()
    }
}

/// What no view has.
macro_rules! not_in_a_view {
    ($($name:ident($($argument:ty),*) -> $result:ty;)+) => {
        $(fn $name(self, $(_: $argument),*) -> Result<$result, Never> {
            unreachable!("no view has this")
        })+
    };
}

impl<'a> Serializer for &'a mut Json {
    type Ok = ();
    type Error = Never;
    type SerializeSeq = Several<'a>;
    type SerializeTuple = Several<'a>;
    type SerializeTupleStruct = No;
    type SerializeTupleVariant = No;
    type SerializeMap = No;
    type SerializeStruct = Several<'a>;
    type SerializeStructVariant = No;

    fn serialize_bool(self, value: bool) -> Done {
        self.text.push_str(if value { "true" } else { "false" });
        Ok(())
    }

    fn serialize_u8(self, number: u8) -> Done {
        self.whole(number.into())
    }

    fn serialize_u32(self, number: u32) -> Done {
        self.whole(number.into())
    }

    fn serialize_f64(self, number: f64) -> Done {
        if number < 0.0 {
            self.text.push('-');
        }
        let number = number.abs();
        self.whole(number as u64)?;
        let billionths = (number.fract() * 1e9) as u32;
        if billionths > 0 {
            let _ = write!(self.text, ".{billionths:09}");
        }
        Ok(())
    }

    fn serialize_str(self, text: &str) -> Done {
        self.quoted(text)
    }

    fn serialize_bytes(self, rows: &[u8]) -> Done {
        self.rows = Some(rows.to_vec());
        self.serialize_unit()
    }

    fn serialize_none(self) -> Done {
        self.serialize_unit()
    }

    fn serialize_some<T: ?Sized + Serialize>(self, value: &T) -> Done {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Done {
        self.text.push_str("null");
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Several<'a>, Never> {
        Ok(self.several('[', ']'))
    }

    fn serialize_tuple(self, _: usize) -> Result<Several<'a>, Never> {
        Ok(self.several('[', ']'))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Several<'a>, Never> {
        Ok(self.several('{', '}'))
    }

    not_in_a_view! {
        serialize_i8(i8) -> ();
        serialize_i16(i16) -> ();
        serialize_i32(i32) -> ();
        serialize_i64(i64) -> ();
        serialize_u16(u16) -> ();
        serialize_u64(u64) -> ();
        serialize_f32(f32) -> ();
        serialize_char(char) -> ();
        serialize_unit_struct(&'static str) -> ();
        serialize_unit_variant(&'static str, u32, &'static str) -> ();
        serialize_tuple_struct(&'static str, usize) -> No;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> No;
        serialize_map(Option<usize>) -> No;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> No;
    }

    fn serialize_newtype_struct<T: ?Sized + Serialize>(self, _: &'static str, _: &T) -> Done {
        unreachable!("no view has this")
    }

    fn serialize_newtype_variant<T: ?Sized + Serialize>(self, _: &'static str, _: u32, _: &'static str, _: &T) -> Done {
        unreachable!("no view has this")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Serialize)]
    struct View {
        name: &'static str,
        whole: f64,
        share: f64,
        never: f64,
        pairs: Vec<(String, u8)>,
        nothing: Option<bool>,
        something: Option<[u32; 2]>,
    }

    #[test]
    fn a_view_is_written_as_the_browser_reads_it() {
        let view = View {
            name: "a “b” \"c\" \\ \n\u{1f}é",
            whole: -3.0,
            share: 0.0625,
            never: u64::MAX as f64,
            pairs: vec![("k".into(), 1), (String::new(), 255)],
            nothing: None,
            something: Some([0, u32::MAX]),
        };
        let mut json = Json::default();
        view.serialize(&mut json).unwrap();
        let escaped =
            r#"{"name":"a “b” \"c\" \\ \u000a\u001fé","whole":-3,"share":0.062500000,"never":18446744073709551615,"#;
        let rest = r#""pairs":[["k",1],["",255]],"nothing":null,"something":[0,4294967295]}"#;
        assert_eq!(json.text, format!("{escaped}{rest}"));
        let read: serde_json::Value = serde_json::from_str(&json.text).unwrap();
        assert_eq!(read["name"], view.name);
        assert_eq!(read["never"], serde_json::json!(u64::MAX));
    }
}
