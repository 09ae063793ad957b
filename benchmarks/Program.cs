using Llama3Perf.Benchmarks.Commands;
using Llama3Perf.Benchmarks.Terminal;

Failure.Prepare();
return GuardedProcess.Run(args, Cli.Run);
