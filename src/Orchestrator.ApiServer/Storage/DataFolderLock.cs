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
            throw new DataFolderInUseException(folder, ReadHolder(path));
        }

        file.SetLength(0);
        file.Write(System.Text.Encoding.ASCII.GetBytes(Environment.ProcessId.ToString(CultureInfo.InvariantCulture)));
        file.Flush();
        return new DataFolderLock(file);
    }

    public void Dispose() => _file.Dispose();

    private static int? ReadHolder(string path)
    {
        // Shared for reading and writing, .NET takes no lock of its own: the holder's does not keep us from reading.
        using var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(file);
        return int.TryParse(reader.ReadToEnd(), NumberStyles.None, CultureInfo.InvariantCulture, out var id) ? id : null;
    }
}
