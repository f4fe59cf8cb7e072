/** Which hosts are this machine's loopback interface. */

/** `localhost`, 127.0.0.0/8 written in four decimal parts, and `::1`. */
const LOOPBACK = /^(?:localhost|127(?:\.(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)){3}|::1)$/i;

/** Whether only this machine reaches `host`, a name or an address without brackets. */
export function isLoopback(host: string): boolean {
  return LOOPBACK.test(host);
}

/** Whether a `Host` header names this machine's loopback, with or without a port. */
export function namesLoopback(header: string): boolean {
  const { address, name } = /^(?:\[(?<address>.*)\]|(?<name>[^:]*))(?::\d*)?$/.exec(header)?.groups ?? {};
  return address === undefined ? isLoopback(name ?? "") : address === "::1";
}
