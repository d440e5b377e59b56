import type { FileRecord } from '../../src/files/record.ts'

/** A finished file of zero bytes; override what the test is about. */
export function fileRecord(overrides: Partial<FileRecord> = {}): FileRecord {
  const then = new Date('2026-01-02T03:04:05.678Z')
  return {
    id: 'file_0123456789abcdef',
    projectId: 'default',
    ownerId: null,
    route: 'demo',
    state: 'ready',
    filename: 'file.bin',
    declaredType: null,
    detectedType: null,
    contentType: 'application/octet-stream',
    contentDisposition: 'inline',
    acl: 'private',
    size: 0,
    offset: overrides.size ?? 0,
    storeName: 'default',
    key: 'file_0123456789abcdef',
    storeMemo: null,
    input: null,
    metadata: null,
    rawMetadata: null,
    sha256: null,
    batchId: null,
    batchIndex: null,
    serverData: null,
    failure: null,
    attempts: 1,
    claimedUntil: null,
    createdAt: then,
    updatedAt: then,
    storedAt: then,
    readyAt: then,
    expiresAt: null,
    purgedAt: null,
    ...overrides,
  }
}
