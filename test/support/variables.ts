/** Sets these in the environment of this process, for as long as `run` takes. */
export async function withVariables(
  variables: Record<string, string>,
  run: () => unknown,
): Promise<void> {
  const names = Object.keys(variables)
  const before = names.map((name) => [name, process.env[name]] as const)
  Object.assign(process.env, variables)
  try {
    await run()
  } finally {
    for (const [name, value] of before) {
      if (value === undefined) delete process.env[name]
      else process.env[name] = value
    }
  }
}
