/* Bytes that travelled in the page as base64 of a zlib stream: a promise of a Uint8Array. */
var inflate = function (text) {
  "use strict";
  var packed = Uint8Array.from(atob(text), function (c) { return c.charCodeAt(0); });
  var stream = new Blob([packed]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Response(stream).arrayBuffer().then(function (buffer) { return new Uint8Array(buffer); });
};
