import { describe, expect, it } from "vitest";
import { isLoopback, namesLoopback } from "../../../src/domain/loopback.ts";

describe("a host that only this machine reaches", () => {
  it.each(["localhost", "LocalHost", "127.0.0.1", "127.8.9.10", "::1"])("is %s", (host) =>
    expect(isLoopback(host)).toBe(true),
  );

  it.each([
    "0.0.0.0",
    "::",
    "10.0.0.7",
    "128.0.0.1",
    "localhost.example.com",
    "127.0.0.1.example.com",
    "127.1",
    "127.0.0.256",
    "[::1]",
    "0x7f.0.0.1",
    "machine",
    "",
    "::ffff:10.0.0.7",
  ])("is not %s", (host) => expect(isLoopback(host)).toBe(false));
});

describe("a Host header that names this machine's loopback", () => {
  it.each([
    "localhost",
    "localhost:8080",
    "LOCALHOST:1",
    "127.0.0.1",
    "127.0.0.1:8080",
    "[::1]",
    "[::1]:8080",
  ])("is %s", (header) => expect(namesLoopback(header)).toBe(true));

  it.each([
    "",
    ":8080",
    "evil.example:8080",
    "localhost.evil.example:8080",
    "127.0.0.1.evil.example",
    "evil.example:127.0.0.1",
    "user@localhost",
    "localhost@evil.example",
    "localhost:8080@evil.example",
    "localhost/",
    "localhost, evil.example",
    "::1",
    "[::1",
    "[localhost]",
    "[::1]evil",
    "[::]:8080",
    "0.0.0.0:8080",
    "10.0.0.7:8080",
    "localhost:port",
  ])("is not %s", (header) => expect(namesLoopback(header)).toBe(false));
});
