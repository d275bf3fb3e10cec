using System.Globalization;

namespace Orchestrator.ApiServer.Storage;

/// <summary>
/// Keeps a data folder for one process: an flock on a file in it, which the kernel gives up with the process however that ends.
/// </summary>
internal sealed class DataFolderLock : IDisposable
{
    private readonly FileStream _file;

    private DataFolderLock(FileStream file) => _file = file;

    /// <exception cref="DataFolderInUseException">Another process, or this one already, holds it.</exception>
    public static DataFolderLock Take(string folder)
    {
        var path = Path.Combine(folder, "lock");
        FileStream file;
        try
        {
            file = new FileStream(path, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException) when (File.Exists(path))
        {
            throw new DataFolderInUseException(folder, ReadHolder(folder));
        }

        // In a file beside it: the lock keeps others from reading, too.
        File.WriteAllText(HolderPath(folder), Environment.ProcessId.ToString(CultureInfo.InvariantCulture));
        return new DataFolderLock(file);
    }

    public void Dispose() => _file.Dispose();

    private static string HolderPath(string folder) => Path.Combine(folder, "pid");

    private static int? ReadHolder(string folder)
    {
        var path = HolderPath(folder);
        return File.Exists(path) && int.TryParse(File.ReadAllText(path), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;
    }
}
