import type { UserConfig } from 'vite'

/**
 * Builds the page into `client/page/dist`, from where `carcosa start` serves it; `npm install`
 * and `npm start` do so. Names carry no hash: the server sends an ETag and has every request
 * revalidated.
 */
export default {
  root: import.meta.dirname,
  // Relative, so that the page works under any mount point.
  base: './',
  build: {
    outDir: 'dist',
    // The same few names each time; a server that runs goes on finding them.
    emptyOutDir: false,
    target: 'es2022',
    // The content security policy allows files of ours only, not data: URLs for scripts.
    assetsInlineLimit: 0,
    modulePreload: false,
    rollupOptions: {
      output: { entryFileNames: 'page.js', assetFileNames: 'page[extname]' },
    },
  },
} satisfies UserConfig
