"""classifiers"""

import sqlalchemy as sa
import sqlmodel  # noqa: F401
from alembic import op

import models.base  # noqa: F401

revision = '0003'
down_revision = '0002'
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table('classifier',
    sa.Column('version', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('role', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('path', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('parent', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('made_at', models.base.UtcDateTime(timezone=True), nullable=False),
    sa.Column('made_by', sqlmodel.sql.sqltypes.AutoString(), nullable=False),
    sa.Column('figures', sa.JSON(), nullable=False),
    sa.Column('lineage', sa.JSON(), nullable=False),
    sa.Column('replaced', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('promoted_at', models.base.UtcDateTime(timezone=True), nullable=True),
    sa.Column('promoted_by', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.Column('reason', sqlmodel.sql.sqltypes.AutoString(), nullable=True),
    sa.CheckConstraint('(promoted_at IS NULL) = (promoted_by IS NULL)', name=op.f('ck_classifier_promoted_when_and_by_whom')),
    sa.CheckConstraint("role <> 'champion' OR promoted_at IS NOT NULL", name=op.f('ck_classifier_champion_was_promoted')),
    sa.CheckConstraint("made_by <> '' AND (promoted_by IS NULL OR promoted_by <> '')", name=op.f('ck_classifier_people_named')),
    sa.PrimaryKeyConstraint('version', name=op.f('pk_classifier'))
    )
    with op.batch_alter_table('classifier', schema=None) as batch_op:
        batch_op.create_index('uq_classifier_champion', ['role'], unique=True, sqlite_where=sa.text("role = 'champion'"), postgresql_where=sa.text("role = 'champion'"))


def downgrade() -> None:
    with op.batch_alter_table('classifier', schema=None) as batch_op:
        batch_op.drop_index('uq_classifier_champion')

    op.drop_table('classifier')
