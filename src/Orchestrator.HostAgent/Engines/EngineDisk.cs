using Orchestrator.HostAgent.Images;

namespace Orchestrator.HostAgent.Engines;

/// <summary>
/// How full the disk with an engine's data is. Docker's API has no call that says so; only where the engine is on our own machine,
/// which a unix socket lets us take it for, and its data folder is to be seen, the file system is asked.
/// </summary>
internal static class EngineDisk
{
    public static DiskUse? Of(EngineEndpoint endpoint, EngineFacts facts)
    {
        if (endpoint.SocketPath is null || facts.DataFolder is not { Length: > 0 } folder || !Directory.Exists(folder))
        {
            return null;
        }

        try
        {
            // What root alone may still use counts as used, as with the kubelet.
            var drive = new DriveInfo(folder);
            return new DiskUse(drive.TotalSize, drive.TotalSize - drive.AvailableFreeSpace);
        }
        catch (Exception failure) when (failure is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }
}
