namespace Orchestrator.ApiServer.Storage;

/// <summary>Another process serves from this data folder.</summary>
public sealed class DataFolderInUseException(string folder, int? processId) : Exception(
    $"the data folder {folder} is in use by {(processId is { } id ? $"process {id}" : "another process")}: "
    + "stop that first, or choose another folder")
{
    public string Folder { get; } = folder;

    /// <summary>Null when it could not be found out.</summary>
    public int? ProcessId { get; } = processId;
}
