/** Checks a CloudFormation template against the published resource specification, and its references against itself. */

import { loadAwsServiceSpecSync } from "@aws-cdk/aws-service-spec";

const db = loadAwsServiceSpecSync();

type Node = unknown;
type Fields = Readonly<Record<string, Node>>;
type SpecResource = NonNullable<ReturnType<typeof specOf>>;
type PropertyType = SpecResource["properties"][string]["type"];

/** A template as JSON. */
export interface PlainTemplate {
  readonly Parameters: Readonly<Record<string, { readonly Type: string; readonly Default?: Node }>>;
  readonly Conditions: Fields;
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties: Fields }>>;
  readonly Outputs: Readonly<Record<string, { readonly Value: Node }>>;
}

const PSEUDO = new Set(["AWS::AccountId", "AWS::Partition", "AWS::Region", "AWS::StackName", "AWS::NoValue"]);
const RESOURCE_FIELDS = new Set(["Type", "Properties", "DeletionPolicy", "UpdateReplacePolicy"]);
/** Bytes of a template that travels in the request itself. */
const MOST_BYTES = 51_200;

/** The faults of `template`, each with its place; empty: valid. */
export function cloudFormationFaults(template: PlainTemplate): string[] {
  const check = new TemplateCheck(template);
  for (const [id, resource] of Object.entries(template.Resources)) check.resource(id, resource);
  for (const [name, condition] of Object.entries(template.Conditions))
    check.references(`Conditions.${name}`, condition);
  for (const [name, { Value }] of Object.entries(template.Outputs))
    check.references(`Outputs.${name}`, Value);
  check.wholeTemplate();
  return check.faults;
}

function specOf(type: string) {
  const [found] = db.lookup("resource", "cloudFormationType", "equals", type);
  return found;
}

class TemplateCheck {
  readonly faults: string[] = [];
  readonly #template: PlainTemplate;
  readonly #used = new Set<string>();
  readonly #edges = new Map<string, Set<string>>();

  constructor(template: PlainTemplate) {
    this.#template = template;
  }

  resource(id: string, resource: { readonly Type: string; readonly Properties: Fields }): void {
    if (!/^[A-Za-z0-9]{1,255}$/.test(id)) this.#fault(id, "is no logical id");
    for (const field of Object.keys(resource))
      if (!RESOURCE_FIELDS.has(field)) this.#fault(id, `has the unknown attribute ${field}`);
    const spec = specOf(resource.Type);
    if (spec === undefined) {
      this.#fault(id, `is of the unknown type ${resource.Type}`);
      return;
    }
    this.#fields(id, resource.Properties, spec.properties);
    this.references(id, resource.Properties);
  }

  /** Checks all intrinsic functions in `node`. */
  references(at: string, node: Node): void {
    if (Array.isArray(node)) {
      for (const [i, item] of node.entries()) this.references(`${at}[${i}]`, item);
    } else if (isFields(node)) {
      for (const [name, value] of Object.entries(node)) this.#intrinsic(at, name, value);
      for (const [name, value] of Object.entries(node)) this.references(`${at}.${name}`, value);
    }
  }

  wholeTemplate(): void {
    for (const name of [...Object.keys(this.#template.Parameters), ...Object.keys(this.#template.Conditions)])
      if (!this.#used.has(name)) this.#fault(name, "is not used");
    for (const id of this.#edges.keys()) if (this.#reaches(id, id)) this.#fault(id, "refers to itself");
    if (JSON.stringify(this.#template, null, 2).length > MOST_BYTES)
      this.#fault("the template", "is too large");
  }

  #fields(at: string, given: Fields, spec: SpecResource["properties"]): void {
    for (const [name, property] of Object.entries(spec))
      if (property.required === true && given[name] === undefined) this.#fault(at, `lacks ${name}`);
    for (const [name, value] of Object.entries(given)) {
      const property = spec[name];
      if (property === undefined) this.#fault(at, `has the unknown property ${name}`);
      else this.#value(`${at}.${name}`, value, property.type);
    }
  }

  #value(at: string, value: Node, type: PropertyType): void {
    if (type.type === "union") {
      const tried = type.types.map((one) => this.#faultsOf(at, value, one));
      if (!tried.some((faults) => faults.length === 0)) this.faults.push(...(tried[0] ?? []));
    } else if (isIntrinsic(value)) this.#intrinsicValue(at, value, type);
    else if (type.type === "array") {
      if (!Array.isArray(value)) this.#fault(at, "is no list");
      else for (const [i, item] of value.entries()) this.#value(`${at}[${i}]`, item, type.element);
    } else if (type.type === "map") {
      if (!isFields(value)) this.#fault(at, "is no map");
      else for (const [name, item] of Object.entries(value)) this.#value(`${at}.${name}`, item, type.element);
    } else if (type.type === "ref") {
      if (isFields(value)) this.#fields(at, value, db.get("typeDefinition", type.reference.$ref).properties);
      else this.#fault(at, "is no object");
    } else this.#scalar(at, value, type);
  }

  #scalar(at: string, value: Node, type: PropertyType): void {
    const kinds: Readonly<Record<string, (value: Node) => boolean>> = {
      string: (one) => typeof one === "string",
      integer: Number.isInteger,
      number: (one) => typeof one === "number",
      boolean: (one) => typeof one === "boolean",
      json: isFields,
      tag: isFields,
    };
    if (kinds[type.type]?.(value) !== true) this.#fault(at, `is no ${type.type}`);
    const allowed = "allowedValues" in type ? (type.allowedValues as readonly Node[] | undefined) : undefined;
    if (allowed !== undefined && !allowed.includes(value))
      this.#fault(at, `is none of ${allowed.join(", ")}`);
  }

  #faultsOf(at: string, value: Node, type: PropertyType): string[] {
    const before = this.faults.length;
    this.#value(at, value, type);
    return this.faults.splice(before);
  }

  /** The kind of what an intrinsic function gives. */
  #intrinsicValue(at: string, value: Fields, type: PropertyType): void {
    const [[name, given] = ["", null]] = Object.entries(value);
    if (name === "Fn::If") {
      for (const branch of (given as readonly Node[]).slice(1))
        if (!isNoValue(branch)) this.#value(at, branch, type);
      return;
    }
    const isList = name === "Ref" && this.#template.Parameters[String(given)]?.Type === "CommaDelimitedList";
    if (isList !== (type.type === "array")) this.#fault(at, isList ? "is a list" : "is no list");
    else if (["ref", "map", "boolean"].includes(type.type)) this.#fault(at, `is no ${type.type}`);
  }

  #intrinsic(at: string, name: string, value: Node): void {
    if (name === "Ref") this.#refer(at, String(value));
    if (name === "Fn::If") this.#condition(at, String((value as readonly Node[])[0]));
    if (name === "Fn::GetAtt") this.#attribute(at, value as readonly string[]);
    if (name !== "Fn::Sub") return;
    for (const [, placed = ""] of String(value).matchAll(/\$\{([^!}][^}]*)\}/g)) {
      const dot = placed.indexOf(".");
      if (dot < 0) this.#refer(at, placed);
      else this.#attribute(at, [placed.slice(0, dot), placed.slice(dot + 1)]);
    }
  }

  #refer(at: string, name: string): void {
    this.#used.add(name);
    this.#edge(at, name);
    const known = name in this.#template.Parameters || name in this.#template.Resources || PSEUDO.has(name);
    if (!known) this.#fault(at, `refers to ${name}, which is not there`);
  }

  #condition(at: string, name: string): void {
    this.#used.add(name);
    if (!(name in this.#template.Conditions))
      this.#fault(at, `needs the condition ${name}, which is not there`);
  }

  #attribute(at: string, [id = "", name = ""]: readonly string[]): void {
    this.#edge(at, id);
    const type = this.#template.Resources[id]?.Type;
    if (type === undefined) this.#fault(at, `refers to ${id}, which is not there`);
    else if (specOf(type)?.attributes[name] === undefined)
      this.#fault(at, `${type} has no attribute ${name}`);
  }

  #edge(at: string, to: string): void {
    const [from = ""] = at.split(/[.[]/);
    if (to in this.#template.Resources) this.#edges.set(from, (this.#edges.get(from) ?? new Set()).add(to));
  }

  #reaches(from: string, to: string, seen = new Set<string>()): boolean {
    for (const next of this.#edges.get(from) ?? []) {
      if (next === to) return true;
      if (!seen.has(next) && this.#reaches(next, to, seen.add(next))) return true;
    }
    return false;
  }

  #fault(at: string, message: string): void {
    this.faults.push(`${at} ${message}`);
  }
}

function isFields(node: Node): node is Fields {
  return typeof node === "object" && node !== null && !Array.isArray(node);
}

function isIntrinsic(node: Node): node is Fields {
  if (!isFields(node)) return false;
  const names = Object.keys(node);
  return names.length === 1 && /^(Ref$|Fn::)/.test(names[0] ?? "");
}

function isNoValue(node: Node): boolean {
  return isFields(node) && node.Ref === "AWS::NoValue";
}
