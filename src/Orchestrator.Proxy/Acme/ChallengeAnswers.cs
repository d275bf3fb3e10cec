using System.Collections.Frozen;
using k8s.Models;
using Microsoft.AspNetCore.Http;
using Orchestrator.Api.WebApps;
using Orchestrator.Runtime.Informers;

namespace Orchestrator.Proxy.Acme;

/// <summary>
/// Answers what an authority asks before it issues a certificate (HTTP-01; RFC 8555, 8.3), as the controller has laid it out in Secrets of
/// <see cref="ProxySecrets.ChallengesType"/>. Requests for other tokens are the apps': one may have a client of its own.
/// </summary>
internal sealed class ChallengeAnswers
{
    private const string Path = "/.well-known/acme-challenge/";

    private readonly Lock _gate = new();
    private readonly Dictionary<string, IDictionary<string, byte[]>> _secrets = new(StringComparer.Ordinal);
    private volatile FrozenDictionary<string, byte[]> _answers = FrozenDictionary<string, byte[]>.Empty;

    /// <summary>Called when other tokens are answered.</summary>
    public event Action? Changed;

    /// <summary>What is answered now.</summary>
    public IReadOnlyCollection<string> Tokens => _answers.Keys;

    public void Follow(Informer<V1Secret> secrets) => secrets.Subscribe(change => Use(change.Key.Name, change.New));

    /// <param name="secret">As it is now; null: gone.</param>
    public void Use(string name, V1Secret? secret)
    {
        if (ProxySecrets.ChallengedAppOf(name) is null)
        {
            return;
        }

        lock (_gate)
        {
            if (secret is { Type: ProxySecrets.ChallengesType, Data: { } answers })
            {
                _secrets[name] = answers;
            }
            else if (!_secrets.Remove(name))
            {
                return;
            }

            _answers = _secrets.Values.SelectMany(entries => entries).DistinctBy(entry => entry.Key).ToFrozenDictionary(StringComparer.Ordinal);
        }

        Changed?.Invoke();
    }

    /// <summary>Whatever the host: a token is for one challenge alone, and names none.</summary>
    /// <returns>The answer; null: the request is no authority's.</returns>
    public byte[]? AnswerTo(HttpRequest request)
    {
        var answers = _answers;
        return answers.Count > 0 && request.Path.Value is { } path && path.StartsWith(Path, StringComparison.Ordinal)
            && (HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method))
            ? answers.GetValueOrDefault(path[Path.Length..])
            : null;
    }

    public static async Task WriteAsync(HttpResponse response, byte[] answer)
    {
        response.ContentType = "application/octet-stream";
        response.ContentLength = answer.Length;
        if (HttpMethods.IsHead(response.HttpContext.Request.Method))
        {
            await response.StartAsync(response.HttpContext.RequestAborted);
        }
        else
        {
            await response.Body.WriteAsync(answer, response.HttpContext.RequestAborted);
        }
    }
}
