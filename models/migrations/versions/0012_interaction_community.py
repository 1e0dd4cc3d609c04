"""a thread may be shared in several communities: the community belongs to the key of an interaction"""

from alembic import op

revision = '0012'
down_revision = '0011'
branch_labels = None
depends_on = None

KEY = ['kind', 'anchor_id', 'source_key', 'target_key']


def upgrade() -> None:
    _key_by(['community_id', *KEY])


def downgrade() -> None:
    same = ' AND '.join(f'other.{name} = interaction.{name}' for name in KEY)
    op.execute(
        f'DELETE FROM interaction WHERE EXISTS '
        f'(SELECT 1 FROM interaction AS other WHERE {same} AND other.community_id < interaction.community_id)'
    )
    _key_by(KEY)


def _key_by(columns: list[str]) -> None:
    with op.batch_alter_table('interaction', schema=None) as batch_op:
        batch_op.drop_constraint(op.f('pk_interaction'), type_='primary')
        batch_op.create_primary_key(op.f('pk_interaction'), columns)
