import type { Principal } from './principal.ts'

/** Says who may watch what beyond their own files and batches. */
export interface EventPermission {
  /** Whether `principal` may watch `topic`. Not asked where nobody is known. */
  allow(request: EventRequest): boolean | Promise<boolean>
}

export interface EventRequest {
  readonly principal: Principal
  /** What is to be watched, which exists; for a route `id` is its name. */
  readonly topic: {
    readonly kind: 'file' | 'batch' | 'route' | 'project'
    readonly id: string
  }
}

/** The default: services watch everything, others what is their own. */
export const servicesOnly: EventPermission = Object.freeze({
  allow: ({ principal }: EventRequest) => principal.kind === 'service',
})
