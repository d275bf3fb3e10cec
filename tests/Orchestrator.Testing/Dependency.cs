namespace Orchestrator.Testing;

/// <summary>Programs that <c>make deps</c> brings into the cache; a missing one fails a test, it never skips it.</summary>
public static class Dependency
{
    /// <param name="tool">One of <c>tests/lab/deps.sh --list</c>, such as <c>kubectl</c>.</param>
    /// <returns>Where it is.</returns>
    /// <exception cref="InvalidOperationException">It is not there; the message says how to get it.</exception>
    public static async Task<string> PathOf(string tool) =>
        (await Command.RunAsync(Repository.At("tests/lab/deps.sh"), ["--path", tool])).OrThrow().Output.TrimEnd('\n');
}
