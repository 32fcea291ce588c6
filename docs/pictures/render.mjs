// Turns the pictures that the bundle shows into PNG: node render.mjs PACKAGES, where @resvg/resvg-js is installed.
import { readFileSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const here = dirname(fileURLToPath(import.meta.url))
const { Resvg } = createRequire(join(process.argv[2], 'any.js'))('@resvg/resvg-js')
const sans = { loadSystemFonts: true, defaultFontFamily: 'Liberation Sans', monospaceFamily: 'DejaVu Sans Mono' }

for (const name of ['icon', 'screen-setup', 'screen-calls', ...process.argv.slice(3)]) {
  const drawn = new Resvg(readFileSync(join(here, `${name}.svg`), 'utf8'), { font: sans })
  writeFileSync(join(here, '../../assets', `${name}.png`), drawn.render().asPng())
}
