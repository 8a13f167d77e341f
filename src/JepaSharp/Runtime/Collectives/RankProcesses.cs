namespace JepaSharp.Runtime.Collectives;

/// <summary>The ranks' processes on this machine, of which one may end without a word: a launcher that does not notice leaves the others
/// waiting.</summary>
/// <remarks>Of other machines, and where processes cannot be seen, nothing is known, and it is the launcher's to notice.</remarks>
internal sealed class RankProcesses
{
    private readonly int[] _watched;
    private readonly IReadOnlyList<RankPlace> _places;

    /// <param name="places">Of all ranks.</param>
    /// <param name="own">This rank.</param>
    public RankProcesses(IReadOnlyList<RankPlace> places, int own)
    {
        _places = places;
        _watched = OperatingSystem.IsLinux()
            ? [.. Enumerable.Range(0, places.Count).Where(r => r != own && places[r].Host == places[own].Host && IsThere(places[r].ProcessId))]
            : [];
    }

    /// <summary>A rank whose process is no more; null where all are there.</summary>
    public int? Gone()
    {
        foreach (var rank in _watched)
        {
            if (!IsThere(_places[rank].ProcessId)) return rank;
        }

        return null;
    }

    // A process that has ended and that nobody asked about is still listed, as Z.
    private static bool IsThere(int process)
    {
        try
        {
            var state = File.ReadAllText($"/proc/{process}/stat");
            var afterName = state.LastIndexOf(')') + 2;
            return afterName >= state.Length || state[afterName] is not ('Z' or 'X');
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }
}
