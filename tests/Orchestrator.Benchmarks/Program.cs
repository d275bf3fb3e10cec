using Orchestrator.Benchmarks.Converging;

if (args is not ["converge"])
{
    await Console.Error.WriteLineAsync("usage: Orchestrator.Benchmarks converge (through 'make bench-converge')");
    return 2;
}

try
{
    await ConvergeBenchmark.RunAsync(Console.Out);
    return 0;
}
catch (Exception failure) when (failure is InvalidOperationException or TimeoutException or HttpRequestException)
{
    await Console.Error.WriteLineAsync($"error: {failure.Message}");
    return 1;
}
