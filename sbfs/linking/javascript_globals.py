"""Names that JavaScript, browsers and Node.js give without an import."""

from __future__ import annotations

_LANGUAGE = """
Array ArrayBuffer AggregateError Atomics BigInt BigInt64Array BigUint64Array Boolean DataView Date Error EvalError
FinalizationRegistry Float32Array Float64Array Function Infinity Int16Array Int32Array Int8Array Intl Iterator JSON
Map Math NaN Number Object Promise Proxy RangeError ReadonlyArray ReferenceError Reflect RegExp Set SharedArrayBuffer
String Symbol SyntaxError TypeError URIError Uint16Array Uint32Array Uint8Array Uint8ClampedArray WeakMap WeakRef
WeakSet WebAssembly decodeURI decodeURIComponent encodeURI encodeURIComponent escape eval globalThis isFinite isNaN
parseFloat parseInt unescape Iterable Record
"""
_HOSTS = """
AbortController AbortSignal Blob Buffer CustomEvent DOMParser Event EventTarget File FileReader FormData Headers
HTMLElement Image IntersectionObserver MessageChannel MutationObserver Notification Request ResizeObserver Response
TextDecoder TextEncoder URL URLSearchParams WebSocket Worker XMLHttpRequest alert atob btoa cancelAnimationFrame
clearImmediate clearInterval clearTimeout confirm console crypto customElements document fetch getComputedStyle global
history indexedDB localStorage location matchMedia navigator performance process prompt queueMicrotask
requestAnimationFrame requestIdleCallback require self sessionStorage setImmediate setInterval setTimeout
structuredClone window __dirname __filename
"""
GLOBALS = frozenset((_LANGUAGE + _HOSTS).split())
OBJECT = frozenset(("hasOwnProperty", "isPrototypeOf", "propertyIsEnumerable"))
"""Members that every object inherits and hardly anything overrides."""
_METHODS = """
add addEventListener all any append appendChild apply assign at bind call catch charAt charCodeAt clear click clone
close concat contains copy createElement cut delete destroy dispatchEvent emit end endsWith entries error every exec
fill filter finally find findIndex flat flatMap focus forEach from get getAttribute getElementById getItem getTime
has hasOwnProperty includes indexOf info insertBefore isArray join json keys lastIndexOf length listen localeCompare
log map match matchAll next normalize off on once open padEnd padStart parse pause pipe pop preventDefault push
querySelector querySelectorAll race read reduce reduceRight reject remove removeAttribute removeChild
removeEventListener removeItem removeListener repeat replace replaceAll resolve resume reverse search send set
setAttribute setItem shift slice some sort splice split start startsWith stop stopPropagation stringify substr
substring test text then toFixed toISOString toJSON toLowerCase toString toUpperCase trim trimEnd trimStart unshift
update valueOf values warn write
"""
COMMON = frozenset(_METHODS.split())
"""Methods of the language, of browsers and of Node.js: where nothing is known of a receiver, they say nothing of it."""
