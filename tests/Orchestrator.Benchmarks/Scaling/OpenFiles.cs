namespace Orchestrator.Benchmarks.Scaling;

/// <summary>Sockets are open files, and a process may have only so many: seen before the run, not in the middle of it.</summary>
internal static class OpenFiles
{
    /// <summary>Of a host to its engine: the event stream, four starts at a time, and a list or ping.</summary>
    public const int ConnectionsAHost = 6;

    /// <summary>Assemblies, the store, listeners, and what else a process of .NET has open.</summary>
    private const int Others = 500;

    /// <exception cref="InvalidOperationException">The limit is too low.</exception>
    public static void Require(int sockets, string who)
    {
        var needed = sockets + Others;
        if (Runtime.Connections.OpenFiles.OfThisProcess.Limit < needed)
        {
            throw new InvalidOperationException(
                $"{who} needs {needed} open files and may not have as many: raise the hard limit (ulimit -Hn {needed}, as root) or take fewer with --hosts and --replicas");
        }
    }
}
