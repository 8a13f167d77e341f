using JepaSharp.Runtime;

namespace JepaSharp.Masking;

/// <summary>BEiT's masks: rectangles are laid over an image until about so many of its patches are masked (Bao et al., ICLR 2022, algorithm 1, as
/// published).</summary>
/// <remarks>
/// As long as fewer than T patches are masked, up to ten rectangles are tried, of an area that is uniform between the least and what is still to be
/// masked, and of an aspect ratio whose logarithm is uniform. One that leaves a row and a column of the grid free, and that masks something new and
/// not too much of it, is taken. Where none of ten is, the mask stays as it is: never more than T patches, often a few less, and on small grids
/// sometimes none.
/// </remarks>
public sealed record BlockwiseMasking
{
    private const int Tries = 10;

    /// <summary>Rows and columns of patches.</summary>
    public required PatchGrid Grid { get; init; }

    /// <summary>T: patches to mask. Published for data2vec: 120 of 196.</summary>
    public required int Patches { get; init; }

    /// <summary>The least area of a rectangle, in patches. Published: 16.</summary>
    public int Least { get; init; } = 16;

    /// <summary>The most patches that a rectangle may add; null for <see cref="Patches"/>.</summary>
    public int? Most { get; init; }

    /// <summary>The least height over width of a rectangle; the greatest is its inverse. Published: 0.3.</summary>
    public double LeastAspect { get; init; } = 0.3;

    /// <summary>Draws a mask. -> [N], true where a patch is masked.</summary>
    /// <param name="random">The image's own stream.</param>
    public bool[] Draw(RandomStream random) => Draw(new StreamDraws(random));

    /// <summary>The same from numbers in the order of the published program: area, aspect, and, where the rectangle fits, top and left.</summary>
    internal bool[] Draw(IRectangleDraws draws)
    {
        var masked = new bool[Grid.Count];
        var count = 0;
        while (count < Patches)
        {
            var added = Lay(masked, Math.Min(Patches - count, Most ?? Patches), draws);
            if (added == 0) break;
            count += added;
        }

        return masked;
    }

    /// <summary>Lays one rectangle that adds no more than <paramref name="most"/>; returns what it adds, 0 where ten tries fail.</summary>
    private int Lay(bool[] masked, int most, IRectangleDraws draws)
    {
        for (var i = 0; i < Tries; i++)
        {
            var area = draws.Uniform(Least, most);
            var aspect = Math.Exp(draws.Uniform(Math.Log(LeastAspect), Math.Log(1 / LeastAspect)));
            var (height, width) = ((int)Math.Round(Math.Sqrt(area * aspect)), (int)Math.Round(Math.Sqrt(area / aspect)));
            if (width >= Grid.Width || height >= Grid.Height) continue;
            var (top, left) = (draws.Integer(Grid.Height - height), draws.Integer(Grid.Width - width));
            int[] patches =
            [
                .. from row in Enumerable.Range(top, height)
                   from column in Enumerable.Range(left, width)
                   select (row * Grid.Width) + column,
            ];
            var added = patches.Count(patch => !masked[patch]);
            if (added == 0 || added > most) continue;
            foreach (var patch in patches) masked[patch] = true;
            return added;
        }

        return 0;
    }

    private sealed class StreamDraws(RandomStream random) : IRectangleDraws
    {
        private RandomStream _random = random;

        public double Uniform(double first, double second) => _random.NextDouble(first, second);

        public int Integer(int greatest) => _random.NextInt(greatest + 1);
    }
}

/// <summary>Where the numbers of rectangles come from.</summary>
internal interface IRectangleDraws
{
    /// <summary>Uniform between two numbers, of which the second may be the smaller.</summary>
    double Uniform(double first, double second);

    /// <summary>A uniform whole number from 0, <paramref name="greatest"/> included.</summary>
    int Integer(int greatest);
}
