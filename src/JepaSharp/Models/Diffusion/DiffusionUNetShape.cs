namespace JepaSharp.Models.Diffusion;

/// <summary>What fixes the names and shapes of a <see cref="DiffusionUNet"/>.</summary>
/// <remarks>Dhariwal and Nichol, 2021, section 3 and appendix C. The defaults are for 32 pixels on two cores; <see cref="Published"/> is
/// RCDM's.</remarks>
public sealed record DiffusionUNetShape
{
    /// <summary>Groups of every norm: all numbers of channels are multiples of it.</summary>
    public const int Groups = 32;

    /// <summary>S: side of the images in pixels.</summary>
    public int ImageSize { get; init; } = 32;

    /// <summary>C: channels that the levels' are multiples of.</summary>
    public int Channels { get; init; } = 32;

    /// <summary>Channels of each level over C, the finest first; each level halves the side of the one before.</summary>
    public IReadOnlyList<int> Multipliers { get; init; } = [1, 2, 2];

    /// <summary>Residual blocks of each level on the way down; one more on the way up.</summary>
    public int Blocks { get; init; } = 1;

    /// <summary>Sides of the levels that attend, in pixels; the middle attends always.</summary>
    public IReadOnlyList<int> AttentionSizes { get; init; } = [8];

    /// <summary>Attention heads, where <see cref="HeadWidth"/> does not say how many.</summary>
    public int Heads { get; init; } = 4;

    /// <summary>Channels of a head; null for a fixed number of heads.</summary>
    public int? HeadWidth { get; init; }

    /// <summary>Whether queries, keys and values lie apart (all queries, all keys, all values) rather than head by head.</summary>
    public bool SeparatesQueries { get; init; }

    /// <summary>Whether residual blocks halve and double the side, rather than a convolution each.</summary>
    public bool ResizesInBlocks { get; init; } = true;

    /// <summary>Whether the embedding scales and shifts what a norm puts out, rather than being added before it.</summary>
    public bool ScalesAndShifts { get; init; } = true;

    /// <summary>Share of a block's numbers that is dropped in training. 0.</summary>
    public double Dropout { get; init; }

    /// <summary>Whether there are three channels more, for the variance.</summary>
    public bool LearnsSigma { get; init; }

    /// <summary>D: numbers of the representation that pictures are drawn from.</summary>
    public required int Condition { get; init; }

    /// <summary>E: width of the embedding of step and representation.</summary>
    public int Embedding => 4 * Channels;

    /// <summary>Channels that come out.</summary>
    public int Outputs => LearnsSigma ? 6 : 3;

    /// <summary>RCDM's network: 128 pixels, 423 million parameters with a representation 2048 wide (Bordes et al., 2022).</summary>
    /// <param name="condition">D.</param>
    public static DiffusionUNetShape Published(int condition) => new()
    {
        ImageSize = 128,
        Channels = 256,
        Multipliers = [1, 1, 2, 3, 4],
        Blocks = 2,
        AttentionSizes = [32, 16, 8],
        Heads = 4,
        LearnsSigma = true,
        Condition = condition,
    };

    /// <summary>Attention heads over so many channels.</summary>
    internal int HeadsOf(int channels) => HeadWidth is { } width ? channels / width : Heads;

    /// <summary>Whether a level of a side attends.</summary>
    internal bool AttendsAt(int side) => AttentionSizes.Contains(side);

    /// <summary>Checks that the numbers fit together.</summary>
    /// <exception cref="ArgumentException">Names everything that does not.</exception>
    public DiffusionUNetShape Validated()
    {
        var problems = Problems().ToList();
        return problems.Count == 0 ? this : throw new ArgumentException("The decoder cannot be built: " + string.Join("; ", problems) + ".");
    }

    /// <summary>Everything that does not fit together, as parts of a sentence.</summary>
    internal IEnumerable<string> Problems()
    {
        if (Condition < 1) yield return $"a representation of {Condition} numbers";
        if (Blocks < 1) yield return $"{Blocks} residual blocks a level";
        if (Multipliers.Count == 0 || Multipliers.Any(m => m < 1)) yield return "no levels, or a multiplier below 1";
        if (Channels < Groups || Channels % Groups != 0) yield return $"{Channels} channels, expected a multiple of {Groups}";
        var halvings = 1 << Math.Clamp(Multipliers.Count - 1, 0, 30);
        if (ImageSize < halvings || ImageSize % halvings != 0) yield return $"{ImageSize} pixels, expected a multiple of {halvings}";
        if (!ScalesAndShifts && Channels == Groups)
            yield return $"{Channels} channels with an embedding that is added: a norm of one channel a group takes it away again";
        foreach (var multiplier in Multipliers.Where(m => m >= 1).Distinct())
        {
            var channels = multiplier * Channels;
            var heads = HeadsOf(channels);
            if (heads < 1 || channels % heads != 0) yield return $"{channels} channels in {heads} heads";
        }

        if (Dropout is < 0 or >= 1) yield return $"a dropout of {Dropout}";
    }
}
