/** How much is logged, from most to nothing. */
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const

/** The least important line still written. */
export type LogLevel = (typeof logLevels)[number]
