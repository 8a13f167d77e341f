namespace JepaSharp.Kernels;

/// <summary>How many sequences of how many tokens, which of their tokens are wanted at the end, and the groups that threads work on.</summary>
internal sealed unsafe class SequenceLayout
{
    private const int RowsPerGroup = 96;
    private readonly int[]? _offsets;
    private readonly int _perGroup;

    /// <param name="sequences">Sequences.</param>
    /// <param name="tokens">Tokens of each.</param>
    /// <param name="wanted">For each sequence the tokens whose outputs are wanted, ascending; null for all of them.</param>
    public SequenceLayout(int sequences, int tokens, IReadOnlyList<int[]>? wanted = null)
    {
        (Sequences, Tokens) = (sequences, tokens);
        _perGroup = Math.Max(1, RowsPerGroup / tokens);
        Groups = (sequences + _perGroup - 1) / _perGroup;
        if (wanted is null) return;
        _offsets = new int[sequences + 1];
        for (var s = 0; s < sequences; s++) _offsets[s + 1] = _offsets[s] + wanted[s].Length;
        Wanted = [.. wanted.SelectMany(w => w)];
    }

    /// <summary>Sequences.</summary>
    public int Sequences { get; }

    /// <summary>Tokens of a sequence.</summary>
    public int Tokens { get; }

    /// <summary>Wanted tokens, sequence after sequence; null for all.</summary>
    public int[]? Wanted { get; }

    /// <summary>All tokens.</summary>
    public nint Rows => (nint)Sequences * Tokens;

    /// <summary>Rows that come out.</summary>
    public nint WantedRows => _offsets is null ? Rows : _offsets[Sequences];

    /// <summary>Groups of sequences: pieces of work.</summary>
    public int Groups { get; }

    /// <summary>The same sequences with every token wanted.</summary>
    public SequenceLayout Whole => Wanted is null ? this : new SequenceLayout(Sequences, Tokens);

    /// <summary>Sequences of a group.</summary>
    public (int First, int End) Group(int group) => (group * _perGroup, Math.Min(Sequences, (group + 1) * _perGroup));

    /// <summary>Where a sequence's outputs begin.</summary>
    public nint FirstWanted(int sequence) => _offsets is null ? (nint)sequence * Tokens : _offsets[sequence];

    /// <summary>Words before a group in packed rows, each group filling whole words: of all tokens, and of the wanted.</summary>
    public (nint[] All, nint[] Wanted) WordOffsets(int perWord)
    {
        var (all, wanted) = (new nint[Groups + 1], new nint[Groups + 1]);
        for (var g = 0; g < Groups; g++)
        {
            var (first, end) = Group(g);
            all[g + 1] = all[g] + (((nint)(end - first) * Tokens) + perWord - 1) / perWord;
            wanted[g + 1] = wanted[g] + (FirstWanted(end) - FirstWanted(first) + perWord - 1) / perWord;
        }

        return (all, wanted);
    }
}
