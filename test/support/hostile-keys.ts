/** Object keys that S3 allows and that programs get wrong: every suite which handles keys runs over these. */

/** Each stands for one way of going wrong; the comments say which. */
export const hostileKeys: readonly string[] = [
  "a+b", // form decoding makes it "a b"
  "a b  c", // and encoding makes it "a+b++c"
  " lead",
  "%41", // decodes to the next one
  "A",
  "x//y", // path joining drops a slash
  "/root",
  "../up", // URL parsers resolve it
  "dot/./x",
  "end/", // looks like a folder
  "q?u=1&v#h",
  "<&>'\"",
  "emoji/😀.jpg", // four bytes in UTF-8; sorts before "\ufffe" in UTF-16 order and after it in byte order
  "\u{10ffff}",
  "\ufffe",
  "é", // one code point; the next looks the same and is two
  "e\u0301",
  "ctl\x01", // XML 1.0 cannot write it
  "tab\tnew\nret\r", // XML parsers turn a bare carriage return into a line feed
  "\x7f",
  "k".repeat(1024), // the longest key there is
];
