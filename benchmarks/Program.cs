using Llama3Perf.Benchmarks.CommandLine;

return Cli.Run(args);
