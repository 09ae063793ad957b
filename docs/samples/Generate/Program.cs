using System.Globalization;
using Llama3Perf.Inference;
using Llama3Perf.Inference.Engines;
using Llama3Perf.Inference.Generation;
using Llama3Perf.Models;
using Llama3Perf.Models.Building;

// A model folder of the smallest shape, built once; ten new tokens after four; when they came.
ModelFolder folder = new ModelStore("models").GetOrBuild(new ModelBuildOptions { Model = "llama-tiny", Precision = Precision.Int4 });
using EngineGenerator generator = new(EngineCatalog.Get("ort").Load(folder, new EngineOptions()));
GenerationResult result = generator.Generate([1, 2, 3, 4], maxLength: 14);
Console.WriteLine(string.Join(' ', result.NewTokens));
Console.WriteLine(
    string.Create(CultureInfo.InvariantCulture, $"{result.TtftMs:0.00} ms to the first token, then {result.DecodeTps:0} tok/s")
);
