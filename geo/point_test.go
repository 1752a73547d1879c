package geo

import (
	"errors"
	"math"
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestPointValidate(t *testing.T) {
	nan, inf := math.NaN(), math.Inf(1)
	for _, c := range []struct {
		point Point
		field string // "" = valid
		text  string
	}{
		{Point{}, "", ""},
		{Point{90, 180}, "", ""},
		{Point{-90, -180}, "", ""},
		{Point{nan, 0}, "Lat", "geo: Lat NaN: not a number"},
		{Point{0, nan}, "Lon", "geo: Lon NaN: not a number"},
		{Point{nan, nan}, "Lat", "geo: Lat NaN: not a number"},
		{Point{inf, 0}, "Lat", "geo: Lat +Inf: infinite"},
		{Point{0, -inf}, "Lon", "geo: Lon -Inf: infinite"},
		{Point{math.Nextafter(90, 91), 0}, "Lat", "geo: Lat 90.00000000000001: outside -90 to 90 degrees"},
		{Point{-91, 500}, "Lat", "geo: Lat -91: outside -90 to 90 degrees"},
		{Point{0, 180.5}, "Lon", "geo: Lon 180.5: outside -180 to 180 degrees"},
		{Point{0, -181}, "Lon", "geo: Lon -181: outside -180 to 180 degrees"},
	} {
		err := c.point.Validate()
		if c.field == "" {
			if err != nil {
				t.Errorf("%v: %v", c.point, err)
			}
			continue
		}
		var refused *PointError
		if !errors.Is(err, ErrPoint) || !errors.As(err, &refused) {
			t.Errorf("%v: %v is no PointError", c.point, err)
			continue
		}
		if refused.Field != c.field || err.Error() != c.text {
			t.Errorf("%v: %q about %s, want %q about %s", c.point, err, refused.Field, c.text, c.field)
		}
	}
}

// The reference below computes with 200 bits: about 60 decimal digits.
const precision = 200

func number(f float64) *big.Float { return new(big.Float).SetPrec(precision).SetFloat64(f) }

func add(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(precision).Add(a, b) }
func sub(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(precision).Sub(a, b) }
func mul(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(precision).Mul(a, b) }
func quo(a, b *big.Float) *big.Float { return new(big.Float).SetPrec(precision).Quo(a, b) }

// bigArctan sums the series for a small argument.
func bigArctan(x *big.Float) *big.Float {
	sum, power, square := number(0), x, mul(x, x)
	for i := 0; power.Sign() != 0 && power.MantExp(nil) > -precision-10; i++ {
		term := quo(power, number(float64(2*i+1)))
		if i&1 == 0 {
			sum = add(sum, term)
		} else {
			sum = sub(sum, term)
		}
		power = mul(power, square)
	}
	return sum
}

// bigPi is Machin's formula.
var bigPi = sub(mul(number(16), bigArctan(quo(number(1), number(5)))),
	mul(number(4), bigArctan(quo(number(1), number(239)))))

func bigSincos(degrees float64) (sin, cos *big.Float) {
	x := quo(mul(number(degrees), bigPi), number(180))
	sin, cos = number(0), number(0)
	term := number(1)
	for i := 0; i < 120; i++ {
		switch i & 3 {
		case 0:
			cos = add(cos, term)
		case 1:
			sin = add(sin, term)
		case 2:
			cos = sub(cos, term)
		case 3:
			sin = sub(sin, term)
		}
		term = quo(mul(term, x), number(float64(i+1)))
	}
	return sin, cos
}

// bigDistance is Vincenty's formula for the sphere in 200 bits. The
// arctangent is brought below 1/8 by halving the angle, t/(1+sqrt(1+t²)).
func bigDistance(a, b Point) float64 {
	s1, c1 := bigSincos(a.Lat)
	s2, c2 := bigSincos(b.Lat)
	sb, cb := bigSincos(b.Lon)
	sa, ca := bigSincos(a.Lon)
	sl, cl := sub(mul(sb, ca), mul(cb, sa)), add(mul(cb, ca), mul(sb, sa))
	u := mul(c2, sl)
	v := sub(mul(c1, s2), mul(mul(s1, c2), cl))
	y := new(big.Float).SetPrec(precision).Sqrt(add(mul(u, u), mul(v, v)))
	x := add(mul(s1, s2), mul(mul(c1, c2), cl))
	turn := number(0)
	if x.Sign() < 0 { // the angle from the antipode
		turn, x, y = bigPi, new(big.Float).Neg(x), new(big.Float).Neg(y)
	}
	flip := new(big.Float).Abs(y).Cmp(x) > 0
	if flip {
		x, y = y, x
	}
	if x.Sign() == 0 {
		return 0
	}
	t, doubled := quo(y, x), 1.0
	for range 4 {
		root := new(big.Float).SetPrec(precision).Sqrt(add(number(1), mul(t, t)))
		t = quo(t, add(number(1), root))
		doubled *= 2
	}
	angle := mul(bigArctan(t), number(doubled))
	if flip {
		right := quo(bigPi, number(2))
		if t.Sign() < 0 {
			right = new(big.Float).Neg(right)
		}
		angle = sub(right, angle)
	}
	metres, _ := mul(add(turn, angle), number(float64(EarthRadius))).Float64()
	return metres
}

func TestDistanceAgainst200Bits(t *testing.T) {
	r := rand.New(rand.NewPCG(3, 0))
	centimetre := meter / 100
	pairs := [][2]Point{
		{{0, 0}, {0, 180}}, {{0, 0}, {0, 179.9999999}}, {{90, 0}, {-90, 0}}, {{90, 10}, {90, -170}},
		{{52.2, 21}, {-52.2, -159}}, {{52.2, 21}, {-52.2, -159 + centimetre}}, {{0, 180}, {0, -180}},
		{{10, 179.9999999}, {10, -179.9999999}}, {{89.9999999, 0}, {89.9999999, 180}},
		{{52.2, 21}, {52.2 + centimetre, 21}}, {{45, 45}, {45, 45 + centimetre}}, {{0, 0}, {0, 5.73}}, {{0, 0}, {0, 5.74}},
	}
	for range 400 {
		p := uniform(r)
		q := around(r, p, math.Pow(10, r.Float64()*10-8))
		if r.IntN(4) == 0 {
			q = wrap(Point{-q.Lat, q.Lon + 180})
		}
		pairs = append(pairs, [2]Point{p, q})
	}
	worst := 0.0
	for _, pair := range pairs {
		want := bigDistance(pair[0], pair[1])
		got := float64(Distance(pair[0], pair[1]))
		worst = max(worst, math.Abs(got-want))
		if math.Abs(got-want) > 1e-7 || got != float64(Distance(pair[1], pair[0])) {
			t.Errorf("%v to %v: %v m, want %v m", pair[0], pair[1], got, want)
		}
	}
	t.Logf("largest error %.2g m", worst)
	if got := Distance(Point{90, 10}, Point{90, -170}); got != 0 {
		t.Errorf("one pole is %v m wide", got)
	}
	// The canary: the textbook formula acos(sin·sin+cos·cos·cos) must fail here.
	acos := func(a, b Point) float64 {
		rad := math.Pi / 180
		return float64(EarthRadius) * math.Acos(math.Sin(a.Lat*rad)*math.Sin(b.Lat*rad)+
			math.Cos(a.Lat*rad)*math.Cos(b.Lat*rad)*math.Cos((a.Lon-b.Lon)*rad))
	}
	a, b := Point{52.2, 21}, Point{52.2 + centimetre, 21}
	if math.Abs(acos(a, b)-bigDistance(a, b)) < 1e-7 {
		t.Error("the reference does not tell a bad formula at 1 cm")
	}
}

func TestSincos(t *testing.T) {
	for degrees := -180.0; degrees <= 180; degrees += 0.73 {
		sin, cos := sincos(degrees)
		bigSin, bigCos := bigSincos(degrees)
		wantSin, _ := bigSin.Float64()
		wantCos, _ := bigCos.Float64()
		if math.Abs(sin-wantSin) > 2.3e-16 || math.Abs(cos-wantCos) > 2.3e-16 {
			t.Fatalf("sincos(%v) = %v, %v, want %v, %v", degrees, sin, cos, wantSin, wantCos)
		}
	}
	for quarter, want := range map[float64][2]float64{-180: {0, -1}, -90: {-1, 0}, 0: {0, 1}, 90: {1, 0}, 180: {0, -1}} {
		if sin, cos := sincos(quarter); sin != want[0] || cos != want[1] {
			t.Errorf("sincos(%v) = %v, %v, want exactly %v", quarter, sin, cos, want)
		}
	}
}
