/** Types of a CloudFormation template, and its intrinsic functions. */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [name: string]: Json };

/** A parameter of the template; all are strings, numbers or lists of strings. */
export interface Parameter {
  readonly Type: "String" | "Number" | "CommaDelimitedList";
  readonly Description: string;
  readonly Default?: string | number;
  readonly AllowedValues?: readonly (string | number)[];
  readonly AllowedPattern?: string;
  readonly ConstraintDescription?: string;
  readonly MinValue?: number;
  readonly MaxValue?: number;
}

export interface Resource {
  readonly Type: string;
  readonly DeletionPolicy?: "Retain" | "Delete";
  readonly UpdateReplacePolicy?: "Retain" | "Delete";
  readonly Properties: { readonly [name: string]: Json };
}

export interface Template {
  readonly AWSTemplateFormatVersion: "2010-09-09";
  readonly Description: string;
  readonly Parameters: Readonly<Record<string, Parameter>>;
  readonly Conditions: { readonly [name: string]: Json };
  readonly Resources: Readonly<Record<string, Resource>>;
  readonly Outputs: Readonly<Record<string, { readonly Description: string; readonly Value: Json }>>;
}

/** A parameter's value, or the identity of a resource (its name, ARN or URL, by its type). */
export const ref = (name: string): Json => ({ Ref: name });

/** An attribute of a resource. */
export const attribute = (resource: string, name: string): Json => ({ "Fn::GetAtt": [resource, name] });

/** Text with the values of {@link ref} and {@link attribute} in it; strings in it are taken as they are. */
export function sub(text: TemplateStringsArray, ...values: readonly (string | Json)[]): Json {
  const parts = text.flatMap((part, i) => [literal(part), i < values.length ? placeholder(values[i]) : ""]);
  return { "Fn::Sub": parts.join("") };
}

function placeholder(value: Json | undefined): string {
  if (typeof value === "string") return literal(value);
  const { Ref, "Fn::GetAtt": path } = value as { readonly Ref?: string; readonly "Fn::GetAtt"?: string[] };
  return `\${${Ref ?? path?.join(".")}}`;
}

function literal(text: string): string {
  return text.replaceAll("${", "${!");
}

/** `then` where the condition holds, else `otherwise`; without it the property or list entry is absent. */
export const when = (condition: string, then: Json, otherwise: Json = ref("AWS::NoValue")): Json => ({
  "Fn::If": [condition, then, otherwise],
});

/** Whether a parameter was given. */
export const isGiven = (parameter: string): Json => ({ "Fn::Not": [{ "Fn::Equals": [ref(parameter), ""] }] });

/** Whether a list parameter was given. */
export const isListGiven = (parameter: string): Json => ({
  "Fn::Not": [{ "Fn::Equals": [{ "Fn::Join": ["", ref(parameter)] }, ""] }],
});

/** A statement that allows `actions` on `resources`; `sid` names it. */
export function allow(
  sid: string,
  actions: readonly string[],
  resources: readonly Json[],
  condition?: Json,
): Json {
  return {
    Sid: sid,
    Effect: "Allow",
    Action: actions,
    Resource: resources,
    ...(condition === undefined ? {} : { Condition: condition }),
  };
}

/** A policy document of `statements`. */
export function policy(statements: readonly Json[]): Json {
  return { Version: "2012-10-17", Statement: statements };
}
