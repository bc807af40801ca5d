// Unpacks the browser into the folder that TMPDIR names, with the libraries and fonts that a bare machine lacks.
import { inflate } from "@sparticuz/chromium";

const archives = ["chromium.br", "al2023.tar.br", "fonts.tar.br", "swiftshader.tar.br"];
await Promise.all(archives.map((name) => inflate(`node_modules/@sparticuz/chromium/bin/${name}`)));
