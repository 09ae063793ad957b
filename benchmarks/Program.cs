Console.WriteLine("Llama3Perf");
