/** The bucket of every server. */
export const bucket = 'bench'

/** How every server of the AWS SDK speaks to the backend, all else at its default. */
export function clientConfig(endpoint: string) {
  return {
    endpoint,
    region: 'us-east-1',
    forcePathStyle: true,
    credentials: { accessKeyId: 'bench', secretAccessKey: 'benchbench' },
  }
}
