/** `carcosa/testing`: the contracts of what one can add, as tests. */

export {
  type Capability,
  type StorePlace,
  type StoreTestOptions,
  type StoreTests,
  testStore,
} from '../stores/testing.ts'
export {
  type AuthProviderTests,
  type AuthSubject,
  type GoodRequest,
  type TestRequest,
  testAuthProvider,
} from './auth/testing.ts'
