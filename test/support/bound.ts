/** For proxies that replace single methods of an object. */

/** The member `key` of `target`; a method still works on `target` itself, for private fields are not the proxy's. */
export function bound<Target extends object>(target: Target, key: string | symbol): unknown {
  const member: unknown = Reflect.get(target, key, target);
  return typeof member === "function" ? member.bind(target) : member;
}
