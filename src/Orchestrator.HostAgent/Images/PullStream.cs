using Docker.DotNet;
using Docker.DotNet.Models;
using Orchestrator.Api;
using Orchestrator.HostAgent.Engines;

namespace Orchestrator.HostAgent.Images;

/// <summary>
/// One pull as the engine does it. The answer is 200 as soon as the registry was asked; what goes wrong after that (a missing or
/// corrupt layer, a full disk) comes as an error inside the stream, which Docker.DotNet passes on like any other line.
/// </summary>
internal static class PullStream
{
    /// <summary>A layer that stands still for this long does not come any more; the engine itself takes 75 s to give up a cut one.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    public static async Task RunAsync(
        IImageOperations images, ImageReference image, RegistryCredentials? credentials, TimeProvider time, CancellationToken cancellationToken)
    {
        using var stalled = new CancellationTokenSource(Patience, time);
        using var linked = CancellationTokenSource.CreateLinkedTokenSource(stalled.Token, cancellationToken);
        var progress = new Lines(() => stalled.CancelAfter(Patience));
        try
        {
            await images.CreateImageAsync(Parameters(image), Auth(credentials), progress, linked.Token);
        }
        catch (Exception) when (stalled.IsCancellationRequested && !cancellationToken.IsCancellationRequested)
        {
            throw new EngineException(EngineFailure.Failed, $"pulling {Name(image)} made no progress for {Patience.TotalMinutes} minutes");
        }

        if (progress.Error is { } error)
        {
            throw new EngineException(EngineFailure.Failed, error);
        }
    }

    /// <summary>As the engine is asked for it; the tag parameter takes a digest too.</summary>
    internal static ImagesCreateParameters Parameters(ImageReference image) => new() { FromImage = Name(image), Tag = image.Digest ?? image.Tag };

    internal static string Name(ImageReference image) => $"{image.Registry}/{image.Repository}";

    private static AuthConfig? Auth(RegistryCredentials? credentials) => credentials is null ? null : new AuthConfig
    {
        Username = credentials.User,
        Password = credentials.Password,
        IdentityToken = credentials.IdentityToken,
        ServerAddress = credentials.Server,
    };

    /// <summary>Takes the lines at once, on the thread that reads them: Progress would post them, and the last could come too late.</summary>
    private sealed class Lines(Action onLine) : IProgress<JSONMessage>
    {
        public string? Error { get; private set; }

        public void Report(JSONMessage value)
        {
            onLine();
            if (value.Error is { } error)
            {
                // The engine quotes a registry's answer whole.
                Error ??= PrintableLine.Of(error.Message ?? "", EngineErrors.MaxLength) ?? "the pull failed; the engine gave no reason";
            }
        }
    }
}
