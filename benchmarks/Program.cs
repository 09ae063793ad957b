using Llama3Perf.Benchmarks.Commands;

return Cli.Run(args);
