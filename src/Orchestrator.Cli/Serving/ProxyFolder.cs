using System.Text.Json;

namespace Orchestrator.Cli.Serving;

/// <summary>
/// How a proxy and whoever looks after it find each other: files in the data folder's <c>proxy</c>. A lock that the proxy holds for
/// as long as it lives, by which the kernel itself says whether one runs, and a record of which process that is.
/// </summary>
internal sealed class ProxyFolder(string dataFolder)
{
    public string StateFolder { get; } = Path.Combine(dataFolder, "proxy");

    public string LogFile { get; } = Path.Combine(dataFolder, "proxy.log");

    private string LockFile => Path.Combine(StateFolder, "lock");

    private string RecordFile => Path.Combine(StateFolder, "process.json");

    public void Create() => Directory.CreateDirectory(
        StateFolder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);

    /// <returns>The lock, to be held; null while another process has it.</returns>
    public IDisposable? TryLock()
    {
        Create();
        try
        {
            // On Unix an exclusive share is flock(2): it goes with the process, however that ends.
            return new FileStream(LockFile, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(LockFile))
        {
            return null;
        }
    }

    public bool IsLocked()
    {
        using var free = TryLock();
        return free is null;
    }

    /// <summary>Says who runs; whole or not at all.</summary>
    public void Write(ProxyRecord record)
    {
        var aside = RecordFile + ".new";
        File.WriteAllText(aside, JsonSerializer.Serialize(record));
        File.Move(aside, RecordFile, overwrite: true);
    }

    /// <returns>The record of a process that lives; null when there is none.</returns>
    public ProxyRecord? Read()
    {
        try
        {
            var record = JsonSerializer.Deserialize<ProxyRecord>(File.ReadAllText(RecordFile));
            return record?.Process.IsAlive() == true ? record : null;
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException or JsonException)
        {
            return null;
        }
    }
}

/// <summary>Which process is the proxy, and how it was started.</summary>
/// <param name="Admin">Its admin endpoint; null when it has none.</param>
internal sealed record ProxyRecord(ProcessIdentity Process, string Version, string? Admin, IReadOnlyList<string> Arguments);
