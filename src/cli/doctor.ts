import { constants } from 'node:os'
import { checks } from './doctor/checks.ts'
import { type Diagnosis, examine } from './doctor/examine.ts'
import { type DoctorArgs, parseDoctorArgs } from './doctor/options.ts'
import type { Patient } from './doctor/patient.ts'
import { countOf, printFinding, summaryOf } from './doctor/report.ts'
import { type Loaded, settingsFrom } from './server/settings.ts'
import { onStopSignal } from './server/signals.ts'
import type { Io, Verb } from './verb.ts'

/** `carcosa doctor`: what is in front of the server, and what it breaks. */
export const verb: Verb = {
  name: 'doctor',
  summary:
    'find what a proxy in front breaks, with the line that mends it: carcosa doctor --to <url>',
  usage: `carcosa doctor [--to <url>] [--route <name>] [flags]

Acts as a client of a Carcosa server through its public URL: creates uploads, sends bytes in
every way that clients do, completes a file, reads it back, and deletes all of it. Says which
header, body limit, time-out, cache or clock breaks what, and what to write in nginx, Caddy or
Cloudflare. A file is completed once, which runs the callback of the route.

  --to <url>             where clients find it (default: publicUrl of the configuration,
                         else http://127.0.0.1:<port>)
  --route <name>         the route to use (default: the only one, or one called "doctor")
  --header <name:value>  sent with every request; may be given several times
  --input <json>         the input of the route
  --origin <url>         a page that may upload, where not all of them may
  --pause <duration>     silence that must be survived (default 5s); --slow: 55s
  --max-body <size>      the largest body that is tried (default 16MB)
  --[no-]local           look at database and settings, too
                         (default: if there is a configuration file here)
  --json                 one JSON document instead of lines

The configuration is found as by carcosa start: see carcosa help start.

Exit codes: 0 nothing is broken, 1 something is, 2 the command line makes no sense,
130 stopped by Ctrl-C, after what was created is deleted.`,
  async run(args, io) {
    const options = parseDoctorArgs(args)
    const loaded = await settingsFrom(options.parsed, io)
    const stop = onStopSignal()
    const abort = new AbortController()
    void stop.received.then((signal) => abort.abort(signal))
    try {
      const patient = patientOf(options, loaded, abort.signal)
      const diagnoses = await diagnose(patient, options, io)
      if (abort.signal.aborted) return stopped(patient, io)
      return countOf(diagnoses, 'broken') > 0 ? 1 : 0
    } finally {
      stop.release()
    }
  },
}

function patientOf(
  { to, wishes, local }: DoctorArgs,
  { config, file }: Loaded,
  signal: AbortSignal,
): Patient {
  const own = `${config.publicUrl ?? `http://127.0.0.1:${config.port}`}${config.basePath}`
  const base = (to?.href ?? own).replace(/\/+$/, '')
  const isHere = local ?? file !== null
  return {
    base,
    wishes,
    local: isHere ? config : null,
    route: null,
    signal,
    uploads: new Set(),
  }
}

async function diagnose(
  patient: Patient,
  { json }: DoctorArgs,
  io: Io,
): Promise<Diagnosis[]> {
  const diagnoses: Diagnosis[] = []
  if (!json) io.stdout.write(`Carcosa at ${patient.base}\n\n`)
  for await (const diagnosis of examine(patient, checks)) {
    diagnoses.push(diagnosis)
    if (!json) printFinding(diagnosis, io)
  }
  if (!json) {
    io.stdout.write(`\n${summaryOf(diagnoses)}\n`)
    return diagnoses
  }
  const findings = diagnoses.map(({ check, finding }) => ({ check, ...finding }))
  const document = { to: patient.base, route: patient.route?.name ?? null, findings }
  io.stdout.write(`${JSON.stringify(document, null, 2)}\n`)
  return diagnoses
}

function stopped({ signal, uploads }: Patient, { stderr }: Io): number {
  const left = [...uploads].map(({ url }) => url.href)
  stderr.write(
    left.length === 0
      ? 'Stopped. What was created is deleted.\n'
      : `Stopped. Could not be deleted: ${left.join(' ')}\n`,
  )
  const { SIGTERM, SIGINT } = constants.signals
  return 128 + (signal.reason === 'SIGTERM' ? SIGTERM : SIGINT)
}
