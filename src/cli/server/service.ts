import type { Config } from '../../config.ts'
import { createLogger } from '../../ops/log.ts'
import type { Logger } from '../../shared/logger.ts'
import type { Io } from '../verb.ts'
import { type Loaded, loadSettings } from './settings.ts'
import { onStopSignal } from './signals.ts'

/** What a process is given that works until somebody stops it. */
export interface Service {
  readonly loaded: Loaded
  readonly config: Config
  readonly log: Logger
  /** Settles when it is time to stop, with the reason. */
  readonly stopped: Promise<string>
}

/** Reads the settings, lets `live` work until a signal says stop, and returns the exit code. */
export async function runService(
  args: string[],
  io: Io,
  live: (service: Service) => Promise<void>,
): Promise<number> {
  const signal = onStopSignal()
  try {
    const loaded = await loadSettings(args, io)
    const { config } = loaded
    const log =
      config.logger ?? createLogger({ level: config.logLevel, output: io.stderr })
    await live({ loaded, config, log, stopped: signal.received })
    return 0
  } finally {
    signal.release()
  }
}
