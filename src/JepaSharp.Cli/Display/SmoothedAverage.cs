namespace JepaSharp.Cli.Display;

/// <summary>Exponential moving average of the last so many values, right from the first (its weights always sum to one).</summary>
/// <param name="window">About how many of the last values count.</param>
internal sealed class SmoothedAverage(double window)
{
    private readonly double _keep = 1 - (1 / window);
    private double _sum, _weight;

    public double Value => _weight == 0 ? double.NaN : _sum / _weight;

    public void Add(double value)
    {
        _sum = (_keep * _sum) + ((1 - _keep) * value);
        _weight = (_keep * _weight) + (1 - _keep);
    }
}
