using System.Text.Json.Nodes;
using Orchestrator.ApiServer.Rest;

namespace Orchestrator.ApiServer.Watching;

/// <summary>Sends the events of one watch in the form that its client asked for.</summary>
internal interface IWatchWriter
{
    /// <param name="type">ADDED, MODIFIED or DELETED.</param>
    /// <param name="json">The object, encoded.</param>
    /// <param name="parsed">Gives the object where its form needs it; not to be changed.</param>
    void Write(string type, byte[] json, Func<JsonObject> parsed);

    void WriteBookmark(JsonObject bookmark);

    void WriteError(Status status);

    /// <summary>Sends what was written; waits while the client does not read.</summary>
    Task FlushAsync(CancellationToken cancellationToken);
}
