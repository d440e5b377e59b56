export type { RouteDocument } from './api.ts'
export {
  type BatchOptions,
  type Client,
  type ClientOptions,
  createClient,
  type UploadableList,
  type UploadOptions,
} from './client.ts'
export {
  CarcosaClientError,
  type ClientErrorCode,
  type FileOutcome,
  UploadAbortedError,
  UploadFailedError,
} from './errors.ts'
export type {
  FileActivity,
  FileEvent,
  FileStatus,
  FileUpload,
  FileUploadState,
} from './file-upload.ts'
export type { HeadersSource } from './headers.ts'
export type { DirectPart, DirectUpload } from './offer.ts'
export type { UploadedFile } from './outcome.ts'
export type { Progress } from './progress.ts'
export type { RetryNotice, RetryOptions } from './retry.ts'
export type { Uploadable, UploadSource } from './source.ts'
export {
  memoryStorage,
  type StoredUpload,
  type UploadStorage,
  webStorage,
} from './storage.ts'
export type { Upload, UploadEvent, UploadResult, UploadStatus } from './upload.ts'
