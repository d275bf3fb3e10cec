using System.Diagnostics;
using System.Globalization;
using Microsoft.Extensions.Logging.Abstractions;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Tests.Storage;

/// <summary>Kills a process while it writes, again and again, and looks at what it left.</summary>
public sealed class CrashTests : IDisposable
{
    internal const string ChildFolder = "ORCHESTRATOR_TEST_CRASH_FOLDER";
    private const int Rounds = 4;
    private const int Writers = 8;

    private readonly TemporaryFolder _folder = new();

    [Fact]
    public async Task No_acknowledged_write_is_lost_to_a_kill_and_no_revision_is_given_twice()
    {
        var acknowledged = new Dictionary<string, long>();
        for (var round = 0; round < Rounds; round++)
        {
            var (before, lines) = (acknowledged.Values.DefaultIfEmpty().Max(), await WriteUntilKilledAsync(150 + (40 * round)));
            Assert.NotEmpty(lines);
            foreach (var (name, revision) in lines)
            {
                Assert.True(revision > before, $"{name} got revision {revision} after {before}");
                acknowledged.Add(name, revision);
            }

            Assert.Equal(acknowledged.Count, acknowledged.Values.Distinct().Count());
            await using var store = Open();
            Assert.True(store.Revision >= acknowledged.Values.Max());
            foreach (var (name, revision) in acknowledged)
            {
                Assert.Equal(revision, store.Get(new StorageKey("maps", "n", name))?.Revision);
            }
        }
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>What the process that is killed does.</summary>
    internal static async Task WriteAsync(string folder)
    {
        var store = new ObjectStore(folder, _ => { }, _ => { }, TimeProvider.System, NullLogger.Instance);
        await store.CreateAsync("namespaces", "", "n");
        using var output = new StreamWriter(Console.OpenStandardOutput()) { AutoFlush = true };
        var gate = new Lock();
        await Task.WhenAll(Enumerable.Range(0, Writers).Select(async writer =>
        {
            for (var i = 0; ; i++)
            {
                var name = $"{Environment.ProcessId}-{writer}-{i}";
                var written = await store.CreateAsync("maps", "n", name);
                lock (gate)
                {
                    output.WriteLine($"{name} {written.Stored!.Revision}");
                }
            }
        }));
    }

    private async Task<IReadOnlyList<(string Name, long Revision)>> WriteUntilKilledAsync(int count)
    {
        // Under the runner's own host or `dotnet`, the test program is its assembly's apphost.
        var program = Path.Combine(AppContext.BaseDirectory, typeof(CrashTests).Assembly.GetName().Name!);
        using var child = Process.Start(new ProcessStartInfo(program)
        {
            RedirectStandardOutput = true,
            Environment = { [ChildFolder] = _folder.Path },
        })!;
        var lines = new List<(string, long)>();
        while (await child.StandardOutput.ReadLineAsync(TestContext.Current.CancellationToken) is { } line)
        {
            var parts = line.Split(' ');
            if (parts.Length == 2 && long.TryParse(parts[1], NumberStyles.None, CultureInfo.InvariantCulture, out var revision))
            {
                lines.Add((parts[0], revision));
            }

            if (lines.Count == count)
            {
                // SIGKILL. What it wrote before that is still read.
                child.Kill();
            }
        }

        await child.WaitForExitAsync(TestContext.Current.CancellationToken);
        return lines;
    }

    private ObjectStore Open() => new(_folder.Path, _ => { }, _ => { }, TimeProvider.System, NullLogger.Instance);
}
