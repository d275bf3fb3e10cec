using System.Globalization;
using System.Net;
using k8s;
using k8s.Autorest;
using k8s.Models;
using Orchestrator.Runtime.Reconciling;

namespace Orchestrator.Runtime.Events;

/// <summary>A series as it stood when it was taken from the queue.</summary>
internal readonly record struct EventOccurrence(string? ObjectName, DateTime First, DateTime Last, int Count);

/// <param name="ObjectName">The Event object that was written; null when it was given up.</param>
/// <param name="Refused">The API server said no, and would again.</param>
internal readonly record struct EventOutcome(string? ObjectName, bool Refused, Exception? Failure);

/// <summary>Creates Event objects and counts them up, with a few tries. Used by one task at a time.</summary>
internal sealed class EventWriter(IKubernetes kubernetes, string component, TimeProvider time)
{
    /// <summary>Where Kubernetes puts Events about cluster-wide objects.</summary>
    private const string ClusterWideNamespace = "default";

    /// <summary>With the back-off about ten seconds: a restart of the API server. What queues up meanwhile is bounded.</summary>
    private const int Tries = 7;

    private const int LongestName = 253;

    private readonly Random _jitter = new(component.GetHashCode(StringComparison.Ordinal));
    private long _lastStamp;

    public static V1ObjectReference ReferenceTo(IKubernetesObject<V1ObjectMeta> about) => new()
    {
        ApiVersion = about.ApiVersion,
        Kind = about.Kind,
        NamespaceProperty = about.Metadata.NamespaceProperty,
        Name = about.Metadata.Name,
        Uid = about.Metadata.Uid,
        ResourceVersion = about.Metadata.ResourceVersion,
    };

    public async Task<EventOutcome> WriteAsync(
        EventKey key, V1ObjectReference about, EventOccurrence occurrence, CancellationToken cancellationToken)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5), _jitter);
        var name = occurrence.ObjectName;
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return new EventOutcome(await WriteOnceAsync(key, about, occurrence, name, cancellationToken), false, null);
            }
            catch (HttpOperationException gone) when (name is not null && gone.Response.StatusCode == HttpStatusCode.NotFound)
            {
                // Events expire: the series goes on in a new object.
                name = null;
            }
            catch (HttpOperationException taken) when (name is null && taken.Response.StatusCode == HttpStatusCode.Conflict && attempt < Tries)
            {
                // Another process made one of the same name within the same tick; the next name is another.
            }
            catch (HttpOperationException refused) when (!IsTransient(refused.Response.StatusCode))
            {
                return new EventOutcome(null, true, refused);
            }
            catch (Exception failure) when (failure is not OperationCanceledException || !cancellationToken.IsCancellationRequested)
            {
                if (attempt >= Tries)
                {
                    return new EventOutcome(null, false, failure);
                }

                await Task.Delay(backoff.Next(), time, cancellationToken);
            }
        }
    }

    private async Task<string> WriteOnceAsync(
        EventKey key, V1ObjectReference about, EventOccurrence occurrence, string? name, CancellationToken cancellationToken)
    {
        var @namespace = key.Namespace ?? ClusterWideNamespace;
        if (name is not null)
        {
            var counted = new { count = occurrence.Count, lastTimestamp = WholeSeconds(occurrence.Last) };
            await kubernetes.CoreV1.PatchNamespacedEventAsync(
                new V1Patch(KubernetesJson.Serialize(counted), V1Patch.PatchType.MergePatch), name, @namespace, cancellationToken: cancellationToken);
            return name;
        }

        var made = new Corev1Event
        {
            Metadata = new V1ObjectMeta { Name = NewName(key.Name), NamespaceProperty = @namespace },
            InvolvedObject = about,
            Type = key.Type,
            Reason = key.Reason,
            Message = key.Message,
            Source = new V1EventSource { Component = component },
            ReportingComponent = component,
            ReportingInstance = Environment.MachineName,
            FirstTimestamp = WholeSeconds(occurrence.First),
            LastTimestamp = WholeSeconds(occurrence.Last),
            Count = occurrence.Count,
        };
        await kubernetes.CoreV1.CreateNamespacedEventAsync(made, @namespace, cancellationToken: cancellationToken);
        return made.Metadata.Name;
    }

    /// <summary>As client-go names them: the object's name and the time in hexadecimal; never twice the same here.</summary>
    private string NewName(string about)
    {
        _lastStamp = Math.Max(time.GetUtcNow().UtcTicks, _lastStamp + 1);
        var stamp = _lastStamp.ToString("x", CultureInfo.InvariantCulture);
        var room = LongestName - stamp.Length - 1;
        return $"{(about.Length <= room ? about : about[..room])}.{stamp}";
    }

    private static bool IsTransient(HttpStatusCode code) => code is HttpStatusCode.TooManyRequests or >= HttpStatusCode.InternalServerError;

    // The precision of Kubernetes' Time on the wire.
    private static DateTime WholeSeconds(DateTime when) => new(when.Ticks - (when.Ticks % TimeSpan.TicksPerSecond), DateTimeKind.Utc);
}
