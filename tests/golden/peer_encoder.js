// SPDX-License-Identifier: MIT
//
// peer_encoder.js — An encoder from export_encoder.py in ONNX Runtime, timed as `mood-bench encoder`
// times libmood's: two runs that do not count, then `runs` that do.
//
//     node peer_encoder.js FOLDER MODEL.onnx SECONDS THREADS RUNS
//
// FOLDER is where `npm install --ignore-scripts onnxruntime-node` was run.
'use strict';
const path = require('path');

async function main() {
  const [folder, model, seconds, threads, runs] = process.argv.slice(2);
  const ort = require(path.resolve(folder, 'node_modules/onnxruntime-node'));
  const session = await ort.InferenceSession.create(model, {
    intraOpNumThreads: Number(threads),
    interOpNumThreads: 1,
    executionMode: 'sequential',
    graphOptimizationLevel: 'all',
  });
  const samples = new Float32Array(16000 * Number(seconds));
  for (let i = 0; i < samples.length; i++) samples[i] = Math.random() - 0.5;
  const feeds = {samples: new ort.Tensor('float32', samples, [1, samples.length])};
  const times = [];
  for (let run = -2; run < Number(runs); run++) {
    const start = process.hrtime.bigint();
    await session.run(feeds);
    if (run >= 0) times.push(Number(process.hrtime.bigint() - start) / 1e6);
  }
  times.sort((a, b) => a - b);
  const n = times.length;
  console.log(JSON.stringify({
    what: 'encoder',
    peer: 'onnxruntime ' + require(path.resolve(folder, 'node_modules/onnxruntime-node/package.json')).version,
    threads: Number(threads),
    min_ms: times[0],
    median_ms: (times[(n - 1) >> 1] + times[n >> 1]) / 2,
    max_ms: times[n - 1],
    rss_mb: process.resourceUsage().maxRSS / 1024,
  }));
}

main().catch((error) => {
  console.error(`peer_encoder.js: ${error.message}`);
  process.exit(1);
});
