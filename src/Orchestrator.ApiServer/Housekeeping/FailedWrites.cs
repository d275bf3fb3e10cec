using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Orchestrator.ApiServer.Objects;
using Orchestrator.ApiServer.Rest;
using Orchestrator.ApiServer.Storage;

namespace Orchestrator.ApiServer.Housekeeping;

/// <summary>
/// The writes of one look that failed: each keeps what depends on it from going on, and all of them make the housekeeper look again. That
/// an object is gone is no failure: somebody else did the work.
/// </summary>
internal sealed partial class FailedWrites(ILogger logger)
{
    public int Count { get; private set; }

    /// <summary>Notes a write if it failed.</summary>
    /// <returns>Whether it did.</returns>
    public bool Note(StorageKey key, Outcome<Written> result)
    {
        if (result.Failure is not { Code: not StatusCodes.Status404NotFound } failure)
        {
            return false;
        }

        Count++;
        ApiServerMetrics.HousekeepingFailures.WithLabels(key.Resource).Inc();
        // To lose against another writer is everyday life.
        var level = failure.Code == StatusCodes.Status409Conflict ? LogLevel.Debug : LogLevel.Warning;
        Log.Failed(logger, level, key, failure.Message);
        return true;
    }

    private static partial class Log
    {
        [LoggerMessage(Message = "Housekeeping of the API server could not write {Key}; it is tried again: {Reason}")]
        public static partial void Failed(ILogger logger, LogLevel level, StorageKey key, string reason);
    }
}
