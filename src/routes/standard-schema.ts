/**
 * The part of Standard Schema v1 (https://standardschema.dev) that Carcosa uses. Zod,
 * Valibot, ArkType and others implement it, so a route takes whichever the application has.
 */
export interface StandardSchemaV1<Input = unknown, Output = Input> {
  readonly '~standard': {
    readonly version: 1
    /** Name of the library, e.g. `zod`. */
    readonly vendor: string
    /** Never throws for bad input: that is a result with `issues`. */
    readonly validate: (
      value: unknown,
    ) => SchemaResult<Output> | Promise<SchemaResult<Output>>
    /** Only types; absent while running. */
    readonly types?: { readonly input: Input; readonly output: Output } | undefined
  }
}

/** Either the validated value, or what is wrong. */
export type SchemaResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: ReadonlyArray<SchemaIssue> }

/** One thing that is wrong, and where. */
export interface SchemaIssue {
  readonly message: string
  readonly path?: ReadonlyArray<PropertyKey | { readonly key: PropertyKey }> | undefined
}

/** What a schema accepts. */
export type SchemaInput<Schema extends StandardSchemaV1> = NonNullable<
  Schema['~standard']['types']
>['input']

/** What a schema makes of it. */
export type SchemaOutput<Schema extends StandardSchemaV1> = NonNullable<
  Schema['~standard']['types']
>['output']
